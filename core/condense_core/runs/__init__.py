"""Runs on disk: where they live, the file that holds one, writing it, reading it, and steering its worker."""
