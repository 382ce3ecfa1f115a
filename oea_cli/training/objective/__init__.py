"""The loss of a global batch, and its gradients."""
