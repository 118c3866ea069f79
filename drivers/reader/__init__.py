"""Serial guard-tour and card readers that send a line for each tag."""
