-- >>> kjitsi
-- Keycloak's tokens, at the end of /etc/prosody/conf.avail/<your host>.cfg.lua of the Debian packages: this opens its
-- sections again, and what it sets wins. It has to be in that file, since Prosody reads the files of a folder in no order,
-- and in braces: an option that stands twice in a file with a long path keeps Prosody from starting, but not in braces.
-- It cannot change lists; in modules_enabled of that file,
--   VirtualHost {{DOMAIN}}: add {{MODULES}}
--   Component {{MUC_DOMAIN}} "muc": add {{MUC_MODULES}}; take out {{MODULES_NOT}}
-- Jicofo must not ask for a login of its own (no authentication section in /etc/jitsi/jicofo/jicofo.conf), and:
--   hocon -f /etc/jitsi/jicofo/jicofo.conf set jicofo.conference.enable-auto-owner {{AUTO_OWNER}}
-- Then: systemctl restart prosody jicofo
VirtualHost {{DOMAIN}} {
    authentication = "token";
    -- A name for Prosody's own use.
    app_id = {{APP_ID}};
    -- true would let people without a token in where hosts go.
    allow_empty_token = false;
    -- true would want the tenant in "sub", where Keycloak has the user's id.
    enable_domain_verification = false;
    asap_accepted_issuers = {{ISSUERS}};
    asap_accepted_audiences = {{AUDIENCES}};
    signature_algorithm = {{SIGN_TYPE}};
    -- Where <sha256 of the kid>.pem is, and Keycloak's key set. nil: not used, and no other line may set it.
    asap_key_server = {{KEYSERVER}};
    cache_keys_url = {{KEY_SET}};
    -- Whether a token without the claim room is refused.
    asap_require_room_claim = {{ROOM_CLAIM}};
}

Component {{MUC_DOMAIN}} "muc" {
    -- false: muc_wait_for_host makes everybody who has a token a moderator.
    wait_for_host_disable_auto_owners = {{NO_AUTO_OWNERS}};
}

-- Where people without a token connect.
VirtualHost {{GUEST_DOMAIN}} {
    enabled = {{GUESTS}};
    authentication = "jitsi-anonymous";
    c2s_require_encryption = false;
    modules_enabled = { "smacks" };
}
-- <<< kjitsi
