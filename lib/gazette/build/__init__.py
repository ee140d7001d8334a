"""The one command's flow: snapshot, run, seal, publish."""

from gazette.build._build import Built, Listener, Report, Silent, build
from gazette.build._check import check, remark_warnings
from gazette.build._learn import Proposal, accept, propose
from gazette.build._project import Project, open_project

__all__ = [
    "Built",
    "Listener",
    "Project",
    "Proposal",
    "Report",
    "Silent",
    "accept",
    "build",
    "check",
    "open_project",
    "propose",
    "remark_warnings",
]
