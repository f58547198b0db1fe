-- >>> kjitsi
-- What the .env of docker-jitsi-meet has no variable for, as ${CONFIG}/prosody/config/conf.d/zz-kjitsi.cfg.lua: it opens
-- Jitsi's host again. Prosody reads the files of that folder in no order, so this agrees with the .env: where that
-- changes, write this anew. Everybody must be able to read this file; restart prosody afterwards.
VirtualHost {{DOMAIN}} {
    -- Keycloak's key set; nil: this file sets none, and takes none away.
    cache_keys_url = {{KEY_SET}};
    -- Whether a token without the claim room is refused.
    asap_require_room_claim = {{ROOM_CLAIM}};
}
-- <<< kjitsi
