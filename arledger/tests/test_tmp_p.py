import pytest, time
from core import guards
from django.core.management import call_command
@pytest.mark.django_db(transaction=True)
def test_x():
    t=time.time(); guards.remove(); print("remove", time.time()-t); t=time.time(); 
    guards.install(); print("install", time.time()-t); guards.remove(); t=time.time()
    call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True); print("flush",time.time()-t); t=time.time()
    from django.core.management.sql import emit_post_migrate_signal
    from django.db.models.signals import post_migrate
    from django.apps import apps
    for r in post_migrate._live_receivers(None)[0]:
        t=time.time()
        for a in apps.get_app_configs():
            r(sender=a, app_config=a, verbosity=0,interactive=False,using="default",signal=post_migrate,apps=apps, plan=[], stdout=None)
        print(r, time.time()-t)
