"""SHELLS for staff and integrators: REST, desk and wallboard."""
