"""The store in forms that other programs read: CSV, vCard, mbox, eml, iCalendar."""
