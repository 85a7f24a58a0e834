"""What comes out of a run file besides the screen: tables, arrays, pictures, one page, event files for TensorBoard."""
