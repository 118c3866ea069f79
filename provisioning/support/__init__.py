"""`fenghuo support-bundle`: what a helpdesk needs of a panel in one file, without its secrets."""
