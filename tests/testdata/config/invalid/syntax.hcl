data_dir = "/var/lib/consul"
service { name = }
