data_dir = "/var/lib/consul"
log_level = "loud"
