"""From what is there to a spec that describes it: the way back. See `describe`."""
