data_dir = "/var/lib/consul"
ports { dns = -2 }
