data_dir = "/var/lib/consul"
service { name = "a" }
service { name = "b" }
