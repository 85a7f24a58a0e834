"""What condensation looks like in numbers: pure functions of tensors, one concept a file, no files, no engine."""
