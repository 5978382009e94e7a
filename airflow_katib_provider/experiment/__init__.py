"""The Experiment: model, defaults, validation, search space, rendering and the rules that decide it. Pure."""
