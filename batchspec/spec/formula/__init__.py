"""Autoscale formulas, read offline: what the service would refuse, and what it would only find out while scaling.

Place in the pipeline: `render` asks `check.faults` about every formula. The language is that of "Create a formula to
automatically scale compute nodes in a Batch pool" (https://learn.microsoft.com/azure/batch/batch-automatic-scaling).
Nothing is computed here. In doubt a formula is right: the service has the last word (`evaluate_autoscale`).
"""
