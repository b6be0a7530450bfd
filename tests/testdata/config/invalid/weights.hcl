data_dir = "/var/lib/consul"
service { name = "a" weights { passing = 0, warning = -5 } }
