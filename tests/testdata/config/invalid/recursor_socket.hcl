data_dir = "/var/lib/consul"
recursors = ["unix:///run/dns.sock"]
