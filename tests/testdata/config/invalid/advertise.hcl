data_dir = "/var/lib/consul"
advertise_addr = "0.0.0.0"
