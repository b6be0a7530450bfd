data_dir = "/var/lib/consul"
client_addr = "{{ Bogus }}"
