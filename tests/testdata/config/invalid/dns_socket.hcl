data_dir = "/var/lib/consul"
addresses { dns = "unix:///run/dns.sock" }
