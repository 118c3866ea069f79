"""The conformance kit: plays a panel against somebody's own center and tells, point by point, what that does right."""
