"""``python -m milplib.cli``."""

from milplib.cli import main

if __name__ == "__main__":
    main()
