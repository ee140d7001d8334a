"""The one command's flow: snapshot, run, seal, publish."""

from gazette.build._aa import replay_aa
from gazette.build._build import Built, Listener, Report, Silent, build
from gazette.build._check import check, remark_warnings, window_hints
from gazette.build._data import DataCheck, check_data
from gazette.build._freeze import answers_of, period_of
from gazette.build._learn import Proposal, accept, propose
from gazette.build._project import Project, open_project
from gazette.build._register import register_of

__all__ = [
    "Built",
    "DataCheck",
    "Listener",
    "Project",
    "Proposal",
    "Report",
    "Silent",
    "accept",
    "answers_of",
    "build",
    "check",
    "check_data",
    "open_project",
    "period_of",
    "propose",
    "register_of",
    "remark_warnings",
    "replay_aa",
    "window_hints",
]
