"""The same edition elsewhere: its summary as one printed page, an e-mail and a Slack message; pure, nothing is sent."""

from gazette.deliver._digest import Card, Digest, Item, Test, digest
from gazette.deliver._email import email_file, email_html, email_text
from gazette.deliver._pdf import pdf
from gazette.deliver._share import share
from gazette.deliver._slack import slack

__all__ = [
    "Card",
    "Digest",
    "Item",
    "Test",
    "digest",
    "email_file",
    "email_html",
    "email_text",
    "pdf",
    "share",
    "slack",
]
