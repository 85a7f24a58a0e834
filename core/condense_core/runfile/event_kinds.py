"""Kinds of events that a viewer does more with than show their words."""

# Why no direction of kernels is predicted in the run: its words stand where the prediction would.
UNPREDICTED = "unpredicted"
