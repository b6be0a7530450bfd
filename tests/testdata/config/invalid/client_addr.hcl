data_dir = "/var/lib/consul"
client_addr = "127.0.0.1 localhost"
