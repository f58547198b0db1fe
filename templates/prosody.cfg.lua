-- >>> kjitsi
-- What the .env of docker-jitsi-meet has no variable for, as ${CONFIG}/prosody/config/conf.d/zz-kjitsi.cfg.lua: it opens
-- Jitsi's host again, and what it sets wins. Everybody must be able to read this file; restart prosody afterwards.
VirtualHost {{DOMAIN}}
    -- Keycloak's key set; nil: keys come from JWT_ASAP_KEYSERVER alone.
    cache_keys_url = {{KEY_SET}}
    -- Whether a token without the claim room is refused.
    asap_require_room_claim = {{ROOM_CLAIM}}
-- <<< kjitsi
