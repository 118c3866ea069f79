"""`python -m provisioning.accept`, for who has no `fenghuo` on the path."""

import sys

from provisioning.accept import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
