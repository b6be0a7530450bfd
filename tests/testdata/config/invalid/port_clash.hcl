data_dir = "/var/lib/consul"
ports { dns = 8600 http = 8600 }
