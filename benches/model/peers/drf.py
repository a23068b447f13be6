"""The list of examples/todo in Django REST framework, as its guide writes one: `drf.py ROWS` makes the file."""
import sys
from datetime import datetime, timezone

import django
from django.conf import settings

settings.configure(
    DEBUG=False,
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="drf",
    USE_TZ=True,
    TIME_ZONE="UTC",
    INSTALLED_APPS=["django_filters", "rest_framework"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": "app.db",
            "CONN_MAX_AGE": None,
            "OPTIONS": {"init_command": "PRAGMA journal_mode=wal; PRAGMA synchronous=normal;"},
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.urls import path  # noqa: E402
from django_filters.rest_framework import DjangoFilterBackend, FilterSet  # noqa: E402
from rest_framework.filters import OrderingFilter  # noqa: E402
from rest_framework.generics import ListAPIView  # noqa: E402
from rest_framework.pagination import PageNumberPagination  # noqa: E402
from rest_framework.serializers import ModelSerializer  # noqa: E402


class Todo(models.Model):
    title = models.CharField(max_length=200)
    done = models.BooleanField(default=False)
    due = models.DateTimeField(null=True)

    class Meta:
        app_label = "bench"
        db_table = "todo"


class TodoSerializer(ModelSerializer):
    class Meta:
        model = Todo
        fields = ["id", "title", "done", "due"]


class TodoFilter(FilterSet):
    class Meta:
        model = Todo
        fields = {
            "id": ["in"],
            "title": ["exact", "in", "contains", "startswith"],
            "done": ["exact"],
            "due": ["exact", "gt", "gte", "lt", "lte", "isnull"],
        }


class Pages(PageNumberPagination):
    page_size_query_param = "page_size"
    page_query_param = "page_index"
    max_page_size = 1000


class Sort(OrderingFilter):
    ordering_param = "sort"


class TodoList(ListAPIView):
    queryset = Todo.objects.all()
    serializer_class = TodoSerializer
    filter_backends = [DjangoFilterBackend, Sort]
    filterset_class = TodoFilter
    ordering_fields = ["id", "title", "done", "due"]
    pagination_class = Pages


urlpatterns = [path("todo/list", TodoList.as_view())]
application = get_wsgi_application()

if __name__ == "__main__":
    with connection.schema_editor() as editor:
        editor.create_model(Todo)
    Todo.objects.bulk_create(
        Todo(
            title=f"task {number}",
            done=number % 2 == 0,
            due=datetime(2027, 1, 1 + number % 28, 8, tzinfo=timezone.utc),
        )
        for number in range(1, int(sys.argv[1]) + 1)
    )
