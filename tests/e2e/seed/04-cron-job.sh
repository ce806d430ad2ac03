#!/bin/bash
# your-cron-job.sh

# Votre logique de travail réelle ici
./run-backup.sh

# Envoyer un signal de succès
if [ $? -eq 0 ]; then
curl -X POST "https://tianji.example.com/api/push/<your-push-token>?status=up&msg=backup-completed"
else
curl -X POST "https://tianji.example.com/api/push/<your-push-token>?status=down&msg=backup-failed"
fi
