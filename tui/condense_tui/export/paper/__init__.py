"""Figures for a paper: vector text and lines at a chosen size, drawn by Matplotlib in a process of its own."""
