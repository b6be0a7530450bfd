data_dir = "/var/lib/consul"
domain = "a b"
