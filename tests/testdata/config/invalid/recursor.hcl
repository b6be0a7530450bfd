data_dir = "/var/lib/consul"
recursors = ["0.0.0.0"]
