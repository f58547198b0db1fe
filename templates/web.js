// >>> kjitsi
// Jitsi's login with Keycloak, for ${CONFIG}/web/custom-config.js of docker-jitsi-meet, which stands at the end of
// config.js. Beside it, .env has TOKEN_AUTH_URL, which gen-env writes with --login.
// In a popup, the one way in which static/sso.html works.
config.tokenAuthInline = true;
// What that page needs; tokenService goes without https://, which the page adds.
config.sso = { tokenService: {{TOKEN_SERVICE}}, clientId: {{CLIENT}} };
config.tokenLogoutUrl = {{LOGOUT_URL}};
// Name and e-mail also of tokens without a context.
config.tokenGetUserInfoOutOfContext = true;
// <<< kjitsi
