"""Short runs around a configuration, of which the best goes on to a full one."""
