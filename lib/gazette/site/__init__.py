"""From a built edition to pages: stage, render, lint, publish; and the shelf above the editions."""

from gazette.site._alone import write_alone
from gazette.site._audiences import audiences_stand, publish_audiences
from gazette.site._edition import facts, render_edition
from gazette.site._engine import Engine, choose_engine, try_engine
from gazette.site._laid import shelf_problems, strays
from gazette.site._lint import lint_site
from gazette.site._preview import finish_preview
from gazette.site._publish import is_published, publish, shelf_stamp
from gazette.site._remarks import known_remarks
from gazette.site._remarks import lost as lost_remarks
from gazette.site._shelf_more import shelf_scripts
from gazette.site._staged import lint_sources

__all__ = [
    "Engine",
    "audiences_stand",
    "choose_engine",
    "facts",
    "finish_preview",
    "is_published",
    "known_remarks",
    "lint_site",
    "lint_sources",
    "lost_remarks",
    "publish",
    "publish_audiences",
    "render_edition",
    "shelf_problems",
    "shelf_scripts",
    "shelf_stamp",
    "strays",
    "try_engine",
    "write_alone",
]
