import sys

from rosless.cli import main

sys.exit(main())
