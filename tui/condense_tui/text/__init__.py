"""The run screen as text: the same panels for a pipe, a log, or a terminal that is not to be taken over."""
