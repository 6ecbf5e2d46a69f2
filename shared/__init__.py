"""What every function shares; shipped as the layer."""
