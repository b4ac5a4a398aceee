"""Document -> problems that a schema cannot express. (Grows: see the checks below.)"""

from batchspec.spec.document import Document, Finding


def findings(document: Document) -> list[Finding]:
    return []
