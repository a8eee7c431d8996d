"""`python -m crmmail` is the crmmail command."""

from __future__ import annotations

import sys

from crmmail.cli import main

sys.exit(main())
