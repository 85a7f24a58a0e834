"""What others recorded of a training, made into a run: event files of TensorBoard and checkpoints."""
