"""What a Dovecot of the tests is configured with, as templates."""

from __future__ import annotations

from string import Template

CONFIG = Template("""
protocols = imap
listen = 127.0.0.1
base_dir = $dir/run
log_path = $dir/log
ssl = $ssl
disable_plaintext_auth = no
auth_mechanisms = plain
auth_failure_delay = 0
auth_cache_size = 0
passdb {
  driver = passwd-file
  args = $dir/users/%u
}
userdb {
  driver = static
  args = uid=$uid gid=$gid home=$dir/mail/%u
}
first_valid_uid = 1
first_valid_gid = 0
mail_location = maildir:~
mail_fsync = never
mail_max_userip_connections = 1000
mailbox_idle_check_interval = 1 s
imap_logout_format = in=%i out=%o
$capability
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  service_count = 0
  inet_listener imap {
    port = $port
    ssl = $implicit
  }
  inet_listener imaps {
    port = 0
  }
}
namespace inbox {
  inbox = yes
  separator = /
$folders
}
$extra
""")
TLS = """
ssl_cert = <$dir/cert.pem
ssl_key = <$dir/key.pem
"""
ORDINARY_USER = """
default_internal_user = $user
default_internal_group = $group
default_login_user = $user
service anvil {
  chroot =
}
service imap-login {
  chroot =
}
"""
