-- Each projection that was ever paused or resumed, and whether it is paused.
SELECT projection, is_paused, revision, reason FROM views.projection_control
