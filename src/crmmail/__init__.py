"""crmmail: your mailboxes and calendars as a CRM, in a terminal."""

__version__ = "0.1.0"
