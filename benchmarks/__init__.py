"""Generated mailboxes with a known ground truth, and the figures of the README."""
