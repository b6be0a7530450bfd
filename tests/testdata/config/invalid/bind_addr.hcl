data_dir = "/var/lib/consul"
bind_addr = "127.0.0.1 127.0.0.2"
