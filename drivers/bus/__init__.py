"""Serial buses, each in a child process of its own: the words between, core's side, the child's side, the port."""
