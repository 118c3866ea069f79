"""`fenghuo flash`: a release's image onto a card, proven before, while and after it is written."""
