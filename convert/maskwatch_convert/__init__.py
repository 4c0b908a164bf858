"""What runs on the workstation after training: turn a network into a verified TFLite file."""
