data_dir = "/var/lib/consul"
ports { dns = 70000 }
